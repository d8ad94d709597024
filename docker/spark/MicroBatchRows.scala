package fraudwatch.spark

import java.nio.ByteBuffer
import java.nio.ByteOrder.LITTLE_ENDIAN
import java.nio.channels.FileChannel
import java.nio.file.Paths
import java.nio.file.StandardOpenOption.{CREATE, TRUNCATE_EXISTING, WRITE}
import org.apache.spark.TaskContext
import org.apache.spark.sql.Row
import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.sql.classic.Dataset
import org.apache.spark.sql.execution.LogicalRDD
import scala.collection.mutable.ArrayBuilder

/** Hands a micro-batch to Python by a file, as columns.
  *
  * `toArrow()` plans and runs a second query over the rows that the first one yields: in a small
  * micro-batch most of its time goes to planning, cleaning of closures and status events. This runs
  * one job over the rows of the first query and nothing else.
  *
  * The file is little-endian. For each of Spark's partitions: the number of rows; then four columns
  * of 8 bytes a row (Kafka's partition, offset, timestamp in epoch milliseconds, and where the value
  * ends, counted from the first); then the values, one after the other.
  */
object MicroBatchRows {
  private val PARTITIONS_A_TASK = 4

  /** Writes the rows of a micro-batch of Kafka's source, whose columns may be in any order.
    *
    * @return how many rows there are
    */
  def write(batch: Dataset[Row], path: String): Long = {
    val rows = batch.queryExecution.logical match {
      case source: LogicalRDD => source.rdd
      case other => throw new IllegalArgumentException(
          s"a micro-batch is ${other.nodeName}, not rows of a running query, so it is not scored"
        )
    }
    val read = new ReadColumns(
      batch.schema.fieldIndex("partition"), batch.schema.fieldIndex("offset"),
      batch.schema.fieldIndex("timestamp"), batch.schema.fieldIndex("value"))
    // A task costs more than reading a small partition of Kafka after another one.
    val few = rows.coalesce(math.max(1, rows.getNumPartitions / PARTITIONS_A_TASK))
    val parts = new Array[Columns](few.getNumPartitions)
    rows.sparkContext.runJob(
      few, read, parts.indices, (part: Int, columns: Columns) => parts(part) = columns)
    val file = FileChannel.open(Paths.get(path), CREATE, TRUNCATE_EXISTING, WRITE)
    try for (part <- parts; buffer <- part.buffers) while (buffer.hasRemaining) file.write(buffer)
    finally file.close()
    parts.map(_.rows.toLong).sum
  }
}

/** Columns of the rows that one task has read. */
class Columns(val rows: Int, numbers: Array[Array[Long]], values: Array[Byte]) extends Serializable {
  def buffers: Seq[ByteBuffer] = {
    val head = ByteBuffer.allocate(8 * (1 + rows * numbers.length)).order(LITTLE_ENDIAN)
    head.putLong(rows)
    for (column <- numbers; number <- column) head.putLong(number)
    Seq(head.flip(), ByteBuffer.wrap(values))
  }
}

/** A class, not a function literal: Spark would scan a literal's code in every micro-batch. */
class ReadColumns(partitionAt: Int, offsetAt: Int, timestampAt: Int, valueAt: Int)
    extends ((TaskContext, Iterator[InternalRow]) => Columns) with Serializable {
  override def apply(task: TaskContext, rows: Iterator[InternalRow]): Columns = {
    val partition, offset, timestampMs, valueEnd = new ArrayBuilder.ofLong
    val values = new ArrayBuilder.ofByte
    var count = 0
    var end = 0L
    for (row <- rows) {
      // Without a value it is no transaction, and dead-lettered as such.
      val value = if (row.isNullAt(valueAt)) Array.emptyByteArray else row.getBinary(valueAt)
      partition.addOne(row.getInt(partitionAt))
      offset.addOne(row.getLong(offsetAt))
      timestampMs.addOne(Math.floorDiv(row.getLong(timestampAt), 1000L)) // Spark keeps microseconds
      values.addAll(value)
      end += value.length
      valueEnd.addOne(end)
      count += 1
    }
    new Columns(count, Array(partition, offset, timestampMs, valueEnd).map(_.result()), values.result())
  }
}
