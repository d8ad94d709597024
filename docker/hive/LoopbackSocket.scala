package org.apache.hadoop.hive.common.auth

import java.net.InetSocketAddress
import org.apache.thrift.transport.TServerSocket

/** Replaces Hive's class of this name on the metastore's class path, and only there. The metastore
  * requires no password, listens on every address and has no setting for it; with this class it
  * listens on 127.0.0.1, or where a system property says, as in a container's own network.
  */
object HiveAuthUtils {
  private val Property = "fraudwatch.hive.listen_address"

  def getServerSocket(host: String, port: Int): TServerSocket =
    new TServerSocket(new InetSocketAddress(System.getProperty(Property, "127.0.0.1"), port))
}
