-- The same counts of several files together.
SELECT * EXCLUDE (n), sum(n)::BIGINT AS n
FROM source
GROUP BY ALL
