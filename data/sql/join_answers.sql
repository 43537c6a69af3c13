-- The same counts of several files together.
SELECT
    * EXCLUDE (n, timed, milliseconds),
    sum(n)::BIGINT AS n, sum(timed)::BIGINT AS timed, sum(milliseconds)::BIGINT AS milliseconds
FROM source
GROUP BY ALL
