package fraudwatch.hive

import java.nio.file.{Files, Path, Paths}
import java.util.Locale
import org.apache.spark.SparkThrowable
import org.apache.spark.sql.catalyst.CurrentUserContext.CURRENT_USER
import scala.jdk.CollectionConverters._

/** Refusal of a statement or session, with the SQL state of missing privileges. */
class Refused(message: String) extends RuntimeException(message) with SparkThrowable {
  override def getCondition: String = "INSUFFICIENT_PRIVILEGE"
  override def getSqlState: String = "42501"
  override def toString: String = getMessage
}

/** Rights of one login: all, or to read the listed tables and views. */
case class Rights(login: String, isUnrestricted: Boolean, tables: Set[String]) {
  def mayRead(database: String, table: String): Boolean =
    isUnrestricted || tables(s"$database.$table".toLowerCase(Locale.ROOT))

  def refuse(what: String): Nothing = throw new Refused(
    s"The login $login may not $what, so the statement was not run. It may SELECT from, SHOW and " +
      "DESCRIBE the tables and views that docs/reports.md lists; use one of them, or the login admin."
  )
}

/** Rights by login from hive/rights.conf, read once: a later change of the property has no effect. */
object Rights {
  private val PathProperty = "fraudwatch.hive.rights_file"
  private val Everything = "everything"
  private val byLogin: Map[String, Rights] = read(Paths.get(System.getProperty(PathProperty)))

  /** Rights of a login; none for a login without a line in the file. */
  def of(login: String): Rights = byLogin.getOrElse(login, Rights(login, isUnrestricted = false, Set()))

  /** Rights of the login whose statement or metadata request this thread runs, if it runs one. */
  def current: Option[Rights] = Option(CURRENT_USER.get).map(of)

  /** Databases with a listed table. */
  lazy val databases: Set[String] = byLogin.values.flatMap(_.tables).map(_.takeWhile(_ != '.')).toSet

  private def read(path: Path): Map[String, Rights] = {
    val lines = Files.readAllLines(path).asScala.map(_.takeWhile(_ != '#').trim).filter(_.nonEmpty)
    val pairs = lines.map(_.split("\\s+") match {
      case Array(login, right) if right == Everything || right.matches("\\w+\\.\\w+") => login -> right
      case _ =>
        throw new IllegalArgumentException(
          s"a line of $path is neither `LOGIN everything` nor `LOGIN DATABASE.TABLE`, so the Thrift " +
            "Server does not start; correct it"
        )
    })
    pairs.groupMap(_._1)(_._2.toLowerCase(Locale.ROOT)).map { case (login, rights) =>
      login -> Rights(login, rights.contains(Everything), rights.toSet - Everything)
    }
  }
}
