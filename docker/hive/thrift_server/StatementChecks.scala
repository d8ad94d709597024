package fraudwatch.hive

import java.util.Locale
import org.apache.spark.sql.catalyst.TableIdentifier
import org.apache.spark.sql.catalyst.analysis._
import org.apache.spark.sql.catalyst.expressions.{Expression, SubqueryExpression}
import org.apache.spark.sql.catalyst.plans.logical._
import org.apache.spark.sql.connector.catalog.{CatalogPlugin, Identifier}
import org.apache.spark.sql.execution.command._
import org.apache.spark.sql.execution.datasources.LogicalRelation
import org.apache.spark.sql.execution.datasources.v2.DataSourceV2Relation

/** Kinds of plan nodes that a confined statement may consist of; every other kind is refused. */
object Permitted {
  val SessionCatalog = "spark_catalog"
  val DefaultDatabase = "default"

  private val queries = Set[Class[_]](
    classOf[Confined], classOf[Project], classOf[Filter], classOf[Aggregate], classOf[Sort],
    classOf[GlobalLimit], classOf[LocalLimit], classOf[Offset], classOf[Distinct], classOf[Union],
    classOf[Except], classOf[Intersect], classOf[Join], classOf[LateralJoin], classOf[SubqueryAlias],
    classOf[Generate], classOf[Window], classOf[Expand], classOf[Pivot], classOf[Unpivot],
    classOf[LocalRelation], OneRowRelation().getClass, classOf[WithCTE], classOf[CTERelationDef],
    classOf[CTERelationRef], classOf[UnresolvedWith], classOf[UnresolvedHaving],
    classOf[UnresolvedSubqueryColumnAliases], classOf[WithWindowDefinition],
    classOf[UnresolvedInlineTable], classOf[ResolvedInlineTable], classOf[UnresolvedQualify],
  )
  private val commands = Set[Class[_]](
    classOf[ShowTables], classOf[ShowTablesCommand], classOf[ShowViews], classOf[ShowViewsCommand],
    classOf[ShowNamespacesCommand], classOf[ShowCurrentNamespaceCommand], classOf[ShowColumns],
    classOf[ShowColumnsCommand], classOf[SetCatalogAndNamespace], classOf[SetNamespaceCommand],
    classOf[DescribeRelation], classOf[DescribeTableCommand], classOf[DescribeColumn],
    classOf[DescribeColumnCommand], classOf[ResolvedNamespace], CurrentNamespace.getClass,
  )
  // Delta's SHOW COLUMNS; its jar is not there when this is compiled.
  private val deltaCommand = "org.apache.spark.sql.delta.commands.ShowDeltaTableColumnsCommand"

  def apply(plan: LogicalPlan): Boolean =
    queries(plan.getClass) || commands(plan.getClass) || plan.getClass.getName == deltaCommand

  /** Functions that only compute. Others could read files, settings or the server's classes: those of
    * the groups misc (but for a few), avro, protobuf, xml and csv, and all that are not Spark's own.
    */
  private val groups = Set(
    "agg_funcs", "array_funcs", "bitwise_funcs", "collection_funcs", "conditional_funcs",
    "conversion_funcs", "datetime_funcs", "generator_funcs", "hash_funcs", "json_funcs",
    "lambda_funcs", "map_funcs", "math_funcs", "predicate_funcs", "string_funcs", "struct_funcs",
    "url_funcs", "window_funcs",
  )
  private val otherFunctions = Set(
    "current_catalog", "current_database", "current_schema", "current_user", "session_user", "typeof",
    "user", "version",
  )
  private val functions: Set[String] = otherFunctions ++ (for {
    name <- FunctionRegistry.builtin.listFunction()
    info <- FunctionRegistry.builtin.lookupFunction(name)
    if groups(info.getGroup)
  } yield name.funcName.toLowerCase(Locale.ROOT))

  def function(name: String): Boolean = functions(name.toLowerCase(Locale.ROOT))
}

/** Checks a statement as it was parsed: kinds of nodes, names of tables in full, functions. */
class StatementCheck(rights: Rights) {

  /** Visit everything that the statement consists of: some nodes hide plans and expressions in maps
    * and tuples, which the tree's own methods pass over.
    */
  def check(part: Any): Unit = part match {
    case plan: LogicalPlan =>
      checkPlan(plan)
      plan.productIterator.foreach(check)
    case expression: Expression =>
      checkExpression(expression)
      expression.productIterator.foreach(check)
    case parts: Iterable[_] => parts.foreach(check)
    case parts: Product     => parts.productIterator.foreach(check)
    case _                  =>
  }

  private def checkPlan(plan: LogicalPlan): Unit = plan match {
    case UnresolvedRelation(name, options, isStreaming) if options.isEmpty && !isStreaming =>
      checkTable(name)
    case table: UnresolvedTableOrView  => checkTable(table.multipartIdentifier)
    case UnresolvedNamespace(name, _)  => checkDatabase(name)
    case SetNamespaceCommand(name)     => checkDatabase(name)
    case allowed if Permitted(allowed) =>
    case other => rights.refuse(s"use ${other.getClass.getSimpleName.stripSuffix("$")}")
  }

  private def checkExpression(expression: Expression): Unit = expression match {
    case function: UnresolvedFunction          => checkFunction(function.nameParts)
    case UnresolvedGenerator(name, _)          => checkFunction(name.nameParts)
    case _: ExpressionWithUnresolvedIdentifier => rights.refuse("use IDENTIFIER()")
    case _                                     =>
  }

  private def checkFunction(name: Seq[String]): Unit =
    if (name.length != 1 || !Permitted.function(name.head))
      rights.refuse(s"call the function ${name.mkString(".")}")

  /** A name without a database is a query of WITH, or a table that [[PlanCheck]] checks. */
  private def checkTable(name: Seq[String]): Unit = withoutCatalog(name) match {
    case Seq(_)                                                  =>
    case Seq(database, table) if rights.mayRead(database, table) =>
    case _ => rights.refuse(s"read ${name.mkString(".")}")
  }

  private def checkDatabase(name: Seq[String]): Unit = withoutCatalog(name) match {
    case Seq()                              =>
    case Seq(database) if isKnown(database) =>
    case _ => rights.refuse(s"use the database ${name.mkString(".")}")
  }

  private def withoutCatalog(name: Seq[String]): Seq[String] = {
    val lower = name.map(_.toLowerCase(Locale.ROOT))
    if (lower.headOption.contains(Permitted.SessionCatalog)) lower.tail else lower
  }

  private def isKnown(database: String): Boolean =
    database == Permitted.DefaultDatabase || Rights.databases(database)
}

/** Checks a resolved plan: every table and view that it reads or describes is listed. */
class PlanCheck(rights: Rights) {
  def check(plan: LogicalPlan): Unit = plan match {
    // The tables below a listed view are read by the view's own text, which only admin can write.
    case view: View                     => checkTable(view.desc.identifier)
    case relation: LogicalRelation      => checkTable(relation.catalogTable.map(_.identifier))
    case relation: DataSourceV2Relation =>
      (relation.catalog, relation.identifier) match {
        case (Some(catalog), Some(name)) => checkTable(catalog, name)
        case _                           => checkTable(None)
      }
    case table: ResolvedTable           => checkTable(table.catalog, table.identifier)
    case view: ResolvedPersistentView   => checkTable(view.catalog, view.identifier)
    case allowed if Permitted(allowed) =>
      allowed match {
        case command: DescribeTableCommand  => checkTable(command.table)
        case command: DescribeColumnCommand => checkTable(command.table)
        case command: ShowColumnsCommand    => checkTable(command.tableName)
        case _                              =>
      }
      allowed.children.foreach(check)
      allowed.innerChildren.foreach { case inner: LogicalPlan => check(inner); case _ => }
      for (expression <- allowed.expressions; part <- expression) part match {
        case subquery: SubqueryExpression => check(subquery.plan)
        case _                            =>
      }
    case other => rights.refuse(s"use ${other.getClass.getSimpleName}")
  }

  private def checkTable(catalog: CatalogPlugin, name: Identifier): Unit =
    if (catalog.name != Permitted.SessionCatalog || name.namespace.length != 1) refuse(name.toString)
    else checkTable(TableIdentifier(name.name, Some(name.namespace.head)))

  private def checkTable(name: Option[TableIdentifier]): Unit =
    name.fold(refuse("a file"))(checkTable(_))

  private def checkTable(name: TableIdentifier): Unit =
    if (
      !name.catalog.forall(_ == Permitted.SessionCatalog) ||
      !name.database.exists(rights.mayRead(_, name.table))
    ) refuse(name.unquotedString)

  private def refuse(name: String): Unit = rights.refuse(s"read $name")
}
