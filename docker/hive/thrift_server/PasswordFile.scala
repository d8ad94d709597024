package fraudwatch.hive

import java.nio.file.{Files, Paths}
import java.security.MessageDigest
import java.util.HexFormat
import javax.crypto.SecretKeyFactory
import javax.crypto.spec.PBEKeySpec
import javax.security.sasl.AuthenticationException
import org.apache.hive.service.auth.PasswdAuthenticationProvider
import scala.jdk.CollectionConverters._

/** Authenticates logins against a file that the stack writes at every start, one line each: name,
  * rounds, salt and PBKDF2-HMAC-SHA256 in hexadecimal. Unknown logins and errors are refused.
  */
class PasswordFile extends PasswdAuthenticationProvider {
  override def Authenticate(user: String, password: String): Unit =
    if (user == null || password == null || !PasswordFile.knows(user, password))
      throw new AuthenticationException("unknown user or wrong password")
}

object PasswordFile {
  private val PathProperty = "fraudwatch.hive.password_file"

  private def knows(user: String, password: String): Boolean =
    Files.readAllLines(Paths.get(System.getProperty(PathProperty))).asScala.map(_.split(':')).exists {
      case Array(`user`, rounds, salt, hash) => matches(password, rounds.toInt, salt, hash)
      case _                                 => false
    }

  private def matches(password: String, rounds: Int, salt: String, hash: String): Boolean = {
    val wanted = HexFormat.of.parseHex(hash)
    val key = new PBEKeySpec(password.toCharArray, HexFormat.of.parseHex(salt), rounds, wanted.length * 8)
    val found = SecretKeyFactory.getInstance("PBKDF2WithHmacSHA256").generateSecret(key).getEncoded
    MessageDigest.isEqual(wanted, found)
  }
}
