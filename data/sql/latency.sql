-- Milliseconds that the model took for one picture: half of the pictures took no longer than p50, 95 in 100 no longer
-- than p95, 99 in 100 no longer than p99. Counted in steps of 3%, so that a figure is within 1.5% of the exact one.
WITH counted AS (
    SELECT
        date_trunc($grain, local_day) AS bucket,
        {by_model} AS key,
        step,
        sum(n)::BIGINT AS n
    FROM latency
    WHERE local_day >= $since AND local_day < $until
      {at_model}
    GROUP BY ALL
), ranked AS (
    SELECT *,
        sum(n) OVER (PARTITION BY bucket, key ORDER BY step) AS upto,
        sum(n) OVER (PARTITION BY bucket, key) AS total
    FROM counted
)
SELECT
    bucket, key,
    pow(1.03, min(CASE WHEN upto >= ceil(0.50 * total) THEN step END) + 0.5) AS p50,
    pow(1.03, min(CASE WHEN upto >= ceil(0.95 * total) THEN step END) + 0.5) AS p95,
    pow(1.03, min(CASE WHEN upto >= ceil(0.99 * total) THEN step END) + 0.5) AS p99,
    any_value(total)::BIGINT AS n
FROM ranked
GROUP BY bucket, key
ORDER BY bucket, key
