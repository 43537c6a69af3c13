-- How many parts were decided and how; a part that was decided again counts again.
SELECT
    date_trunc($grain, local_hour) AS bucket,
    {by_policy} AS key,
    outcome,
    sum(n)::BIGINT AS decided
FROM hourly
WHERE local_hour >= $since AND local_hour < $until
  {at_policy}
GROUP BY ALL
ORDER BY ALL
