-- Milliseconds that the model took for one picture, hour by hour: half of the pictures took no longer than p50, 95 in
-- 100 no longer than p95, 99 in 100 no longer than p99.
SELECT
    date_trunc('hour', local_at) AS bucket,
    {by_model} AS key,
    quantile_disc(milliseconds, 0.50) AS p50,
    quantile_disc(milliseconds, 0.95) AS p95,
    quantile_disc(milliseconds, 0.99) AS p99,
    count(*) AS n
FROM predictions
WHERE local_at >= $since AND local_at < $until
  {at_model}
GROUP BY ALL
ORDER BY ALL
