/* judge.sql: see product part */
