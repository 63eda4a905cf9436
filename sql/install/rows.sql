/* rows.sql: see product part */
