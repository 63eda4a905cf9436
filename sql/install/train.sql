/* train.sql: see product part */
