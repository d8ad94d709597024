package org.apache.hadoop.hive.common.auth

import java.net.InetSocketAddress
import org.apache.thrift.transport.TServerSocket

/** Stands before Hive's class of this name on the metastore's class path, and there alone. The
  * metastore asks nobody for a password, listens on every address and has no setting for it; it
  * takes its socket from here.
  */
object HiveAuthUtils {
  def getServerSocket(host: String, port: Int): TServerSocket =
    new TServerSocket(new InetSocketAddress("127.0.0.1", port))
}
