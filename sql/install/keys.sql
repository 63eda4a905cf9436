/* keys.sql: see product part */
