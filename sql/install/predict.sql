/* predict.sql: see product part */
