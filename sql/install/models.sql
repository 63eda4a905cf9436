/* models.sql: see product part */
