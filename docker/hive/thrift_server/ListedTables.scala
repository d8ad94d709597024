package fraudwatch.hive

import java.util.{List => JavaList}
import org.apache.hadoop.hive.conf.HiveConf
import org.apache.hadoop.hive.metastore.DefaultMetaStoreFilterHookImpl
import scala.jdk.CollectionConverters._

/** Leaves out tables that the login may not read wherever names are listed: SHOW TABLES, SHOW VIEWS
  * and the metadata requests of SQL tools. A table is still found by its name, as views need.
  */
class ListedTables(conf: HiveConf) extends DefaultMetaStoreFilterHookImpl(conf) {
  override def filterTableNames(database: String, names: JavaList[String]): JavaList[String] =
    Rights.current match {
      case Some(rights) => names.asScala.filter(rights.mayRead(database, _)).asJava
      case None         => java.util.Collections.emptyList()
    }
}
