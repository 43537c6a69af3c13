-- Seconds from seeing a part to answering it; p50 is the median, 95 in 100 took no longer than p95.
SELECT
    date_trunc($grain, local_at) AS bucket,
    {by_policy} AS key,
    quantile_disc(seconds, 0.50) AS p50,
    quantile_disc(seconds, 0.95) AS p95,
    count(*) AS n
FROM reviews
WHERE
  {stands}
  AND local_at >= $since AND local_at < $until AND seconds IS NOT NULL
  {at_policy}
GROUP BY ALL
ORDER BY ALL
