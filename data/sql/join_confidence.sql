-- The same counts of several files together.
SELECT * EXCLUDE (n, millionths), sum(n)::BIGINT AS n, sum(millionths)::BIGINT AS millionths
FROM source
GROUP BY ALL
