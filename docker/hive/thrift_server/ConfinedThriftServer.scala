// Spark's server classes are private to this package.
package org.apache.spark.sql.hive.thriftserver

import fraudwatch.hive.Rights
import java.util.{List => JavaList, Map => JavaMap}
import org.apache.hadoop.hive.common.ServerUtils
import org.apache.hadoop.hive.conf.HiveConf
import org.apache.hive.service.Service
import org.apache.hive.service.auth.TSetIpAddressProcessor
import org.apache.hive.service.cli.{CLIService, HiveSQLException}
import org.apache.hive.service.cli.thrift.ThriftBinaryCLIService
import org.apache.hive.service.rpc.thrift.{TOpenSessionReq, TOpenSessionResp}
import org.apache.spark.SparkContext
import org.apache.spark.sql.hive.HiveUtils
import org.apache.spark.sql.hive.thriftserver.ui.{HiveThriftServer2EventManager, HiveThriftServer2Listener}
import org.apache.spark.status.ElementTrackingStore
import scala.jdk.CollectionConverters._

/** Spark's Thrift Server with a check of the settings that a client sends when it opens a session. */
object ConfinedThriftServer {
  def main(arguments: Array[String]): Unit = {
    Rights.databases // a mistake in the file is reported before anything listens
    SparkSQLEnv.init()
    val session = SparkSQLEnv.sparkSession
    val hive = HiveUtils
      .newClientForExecution(session.sparkContext.conf, session.sessionState.newHadoopConf())
    ServerUtils.cleanUpScratchDir(hive.conf)
    val server = new HiveThriftServer2(session)
    server.init(hive.conf)
    confineSessions(server, hive.conf)
    listen(server, session.sparkContext)
    server.start()
  }

  /** Replace the service that accepts connections, which is not listening yet. */
  private def confineSessions(server: HiveThriftServer2, conf: HiveConf): Unit = {
    val sessions = new ConfinedSessions(ReflectionUtils.getSuperField[CLIService](server, "cliService"))
    sessions.init(conf)
    val services = ReflectionUtils.getAncestorField[JavaList[Service]](server, 2, "serviceList")
    services.replaceAll {
      case _: ThriftBinaryCLIService => sessions
      case other                     => other
    }
    ReflectionUtils.setSuperField(server, "thriftCLIService", sessions)
  }

  private def listen(server: HiveThriftServer2, context: SparkContext): Unit = {
    val store = context.statusStore.store.asInstanceOf[ElementTrackingStore]
    HiveThriftServer2.eventManager = new HiveThriftServer2EventManager(context)
    HiveThriftServer2.listener = new HiveThriftServer2Listener(store, context.conf, Some(server))
    context.listenerBus.addToStatusQueue(HiveThriftServer2.listener)
  }
}

/** Refuses settings from logins without all rights: they could change the server's system properties,
  * load classes or switch off checks.
  */
class ConfinedSessions(cli: CLIService) extends ThriftBinaryCLIService(cli) {
  override def OpenSession(request: TOpenSessionReq): TOpenSessionResp = {
    val login = Option(TSetIpAddressProcessor.getUserName).getOrElse("(unknown)")
    val settings = Option(request.getConfiguration).getOrElse(new java.util.HashMap[String, String])
    if (Rights.of(login).isUnrestricted) super.OpenSession(request)
    else
      refused(settings).fold(super.OpenSession(request)) { setting =>
        val response = new TOpenSessionResp()
        response.setStatus(
          HiveSQLException.toTStatus(
            new HiveSQLException(
              s"The login $login may not send the setting $setting, so no session was opened. " +
                "Connect without settings; only the database fraudwatch may be named.",
              "42501",
            )
          )
        )
        response
      }
  }

  private def refused(settings: JavaMap[String, String]): Option[String] =
    settings.asScala.collectFirst {
      case (name, value) if !ConfinedSessions.isHarmless(name, value) => name
    }
}

object ConfinedSessions {
  private val Harmless = Map(
    "use:database" -> "\\w+",
    "set:hiveconf:hive.server2.thrift.resultset.default.fetch.size" -> "\\d+", // Hive's JDBC driver
  )

  def isHarmless(name: String, value: String): Boolean = Harmless.get(name).exists(value.matches)
}
