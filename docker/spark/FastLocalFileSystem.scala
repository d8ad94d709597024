package fraudwatch.spark

import java.io.{File, FilterOutputStream, OutputStream}
import java.nio.channels.FileChannel
import java.nio.file.attribute.PosixFilePermissions
import java.nio.file.{Files, StandardOpenOption}
import org.apache.hadoop.fs.permission.FsPermission
import org.apache.hadoop.fs.{LocalFileSystem, Path, RawLocalFileSystem, Syncable}

/** A local file system for checkpoints, as durable as the messages that they stand for: a file is on
  * disk when its writer is closed, and its name when it is created or renamed. Hadoop's own leaves both
  * to the operating system, so that a power cut could undo micro-batches whose verdicts are published.
  *
  * It forks no chmod per file: Hadoop's own runs a program to set permissions, several times in every
  * micro-batch. And it writes no checksum beside each file, which would be one more file to flush: what
  * is flushed before it is renamed is never there in part. Checksums of before are still checked.
  */
class FastLocalFileSystem extends LocalFileSystem(new FastRawFileSystem) {
  setWriteChecksum(false)
}

class FastRawFileSystem extends RawLocalFileSystem {
  override def setPermission(path: Path, wanted: FsPermission): Unit = {
    val letters =
      wanted.getUserAction.SYMBOL + wanted.getGroupAction.SYMBOL + wanted.getOtherAction.SYMBOL
    Files.setPosixFilePermissions(pathToFile(path).toPath, PosixFilePermissions.fromString(letters))
  }

  override protected def createOutputStream(path: Path, append: Boolean): OutputStream =
    new FlushedOutputStream(super.createOutputStream(path, append))

  override protected def createOutputStreamWithMode(
      path: Path, append: Boolean, permission: FsPermission): OutputStream =
    new FlushedOutputStream(super.createOutputStreamWithMode(path, append, permission))

  override def rename(source: Path, target: Path): Boolean = {
    val renamed = super.rename(source, target)
    if (renamed) flushNames(pathToFile(target).getParentFile)
    renamed
  }

  override protected def mkOneDirWithMode(
      path: Path, folder: File, permission: FsPermission): Boolean = {
    val made = super.mkOneDirWithMode(path, folder, permission)
    if (made) flushNames(folder.getAbsoluteFile.getParentFile)
    made
  }

  /** Puts the names of a folder's files on disk. */
  private def flushNames(folder: File): Unit = {
    val channel = FileChannel.open(folder.toPath, StandardOpenOption.READ)
    try channel.force(true)
    finally channel.close()
  }
}

/** Flushes a file to the disk before it is closed. */
class FlushedOutputStream(file: OutputStream) extends FilterOutputStream(file) {
  private var isOpen = true

  override def write(bytes: Array[Byte], from: Int, count: Int): Unit = file.write(bytes, from, count)

  override def close(): Unit =
    if (isOpen) {
      isOpen = false
      try
        file match {
          case raw: Syncable => raw.hsync()
          case _ => throw new IllegalStateException("this file cannot be flushed to the disk")
        }
      finally file.close()
    }
}
