/* Prepared.java: predict() through JDBC as prepared statements with parameters.  Prints one number a line. */
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.util.Properties;

public class Prepared
{
	/* Arguments: JDBC URL, user, file with a model in hexadecimal digits. */
	public static void main(String[] args) throws Exception
	{
		Properties properties = new Properties();

		properties.setProperty("user", args[1]);
		/* a plan on the server from the first execution on */
		properties.setProperty("prepareThreshold", "1");
		try (Connection connection = DriverManager.getConnection(args[0], properties);
			 PreparedStatement values = connection.prepareStatement("SELECT grove.predict(?::bytea, ?::int, ?::text)");
			 PreparedStatement document = connection.prepareStatement("SELECT grove.predict(?::bytea, ?::jsonb)"))
		{
			byte[] model = java.util.HexFormat.of().parseHex(Files.readString(Path.of(args[2])).strip());
			String[] sources = {"mail", "search", null};

			for (int pages = 1; pages <= 20; pages++)
			{
				String source = sources[pages % 3];

				values.setBytes(1, model);
				values.setInt(2, pages);
				values.setString(3, source);
				print(values);
				document.setBytes(1, model);
				document.setString(2, "{\"pages\": " + pages + ", \"source\": " +
					(source == null ? "null" : "\"" + source + "\"") + "}");
				print(document);
			}
		}
	}

	private static void print(PreparedStatement statement) throws Exception
	{
		try (ResultSet result = statement.executeQuery())
		{
			result.next();
			System.out.println(result.getDouble(1));
		}
	}
}
