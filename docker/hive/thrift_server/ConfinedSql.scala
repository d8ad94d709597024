package fraudwatch.hive

import org.apache.spark.sql.SparkSessionExtensions
import org.apache.spark.sql.catalyst.{FunctionIdentifier, TableIdentifier}
import org.apache.spark.sql.catalyst.expressions.Expression
import org.apache.spark.sql.catalyst.parser.{ParameterContext, ParserInterface}
import org.apache.spark.sql.catalyst.plans.logical.{LogicalPlan, SetCatalogAndNamespace, UnaryNode}
import org.apache.spark.sql.catalyst.rules.Rule
import org.apache.spark.sql.types.{DataType, StructType}

/** Spark session extension: a login without all rights may only read its tables.
  *
  * A statement is checked twice. [[StatementCheck]] checks its text when it is parsed, before the
  * analysis could open a file, connect to a database or evaluate a function. [[PlanCheck]] checks the
  * analysed plan, in which every name is resolved. Queries that Spark and Delta make themselves, and
  * the text of views, are parsed by neither method below and are not checked.
  */
class ConfinedSql extends (SparkSessionExtensions => Unit) {
  override def apply(extensions: SparkSessionExtensions): Unit = {
    extensions.injectParser((_, parser) => new ConfinedParser(parser))
    extensions.injectPostHocResolutionRule(_ => CheckConfined)
    extensions.injectCheckRule(_ => RefuseUnchecked)
  }
}

/** Marks a statement that must pass [[PlanCheck]]; nothing can execute this node. */
case class Confined(login: String, child: LogicalPlan) extends UnaryNode {
  override def output = child.output
  override protected def withNewChildInternal(newChild: LogicalPlan): Confined = copy(child = newChild)
}

class ConfinedParser(inner: ParserInterface) extends ParserInterface {
  override def parsePlan(text: String): LogicalPlan = confine(text, inner.parsePlan(text))

  override def parsePlanWithParameters(text: String, parameters: ParameterContext): LogicalPlan =
    confine(text, inner.parsePlanWithParameters(text, parameters))

  private def confine(text: String, parsed: => LogicalPlan): LogicalPlan = Rights.current match {
    case Some(rights) if rights.isUnrestricted => parsed
    case Some(rights) =>
      // Spark replaces ${env:NAME}, ${system:NAME} and settings before it parses.
      if (text.contains("${")) rights.refuse("use ${...} in a statement")
      val plan = parsed
      new StatementCheck(rights).check(plan)
      Confined(rights.login, plan)
    // Opening a session has no statement: it may choose a database, which ConfinedSessions has checked.
    case None =>
      parsed match {
        case use: SetCatalogAndNamespace => use
        case _                           => Rights.of("(unknown)").refuse("run statements")
      }
  }

  override def parseQuery(text: String): LogicalPlan = inner.parseQuery(text)
  override def parseExpression(text: String): Expression = inner.parseExpression(text)
  override def parseTableIdentifier(text: String): TableIdentifier = inner.parseTableIdentifier(text)
  override def parseFunctionIdentifier(text: String): FunctionIdentifier =
    inner.parseFunctionIdentifier(text)
  override def parseMultipartIdentifier(text: String): Seq[String] = inner.parseMultipartIdentifier(text)
  override def parseRoutineParam(text: String): StructType = inner.parseRoutineParam(text)
  override def parseTableSchema(text: String): StructType = inner.parseTableSchema(text)
  override def parseDataType(text: String): DataType = inner.parseDataType(text)
}

/** Checks the resolved plan of a confined statement, then removes the mark. */
object CheckConfined extends Rule[LogicalPlan] {
  override def apply(plan: LogicalPlan): LogicalPlan =
    plan.collectFirst { case confined: Confined => confined.login } match {
      case Some(login) if plan.resolved =>
        new PlanCheck(Rights.of(login)).check(plan)
        plan.resolveOperatorsDown { case Confined(_, child) => child }
      case _ => plan // an unresolved plan fails in Spark's own analysis, with its own error
    }
}

object RefuseUnchecked extends (LogicalPlan => Unit) {
  override def apply(plan: LogicalPlan): Unit =
    plan.foreach {
      case Confined(login, _) => Rights.of(login).refuse("run a statement that cannot be checked")
      case _                  =>
    }
}
