-- Parts decided for the first time, by how they were decided, on the site's own clock; per_minute is over the whole hour,
-- day or week, or as much of it as was asked for.
SELECT
    date_trunc($grain, local_hour) AS bucket,
    {by_policy} AS key,
    outcome,
    sum(n)::BIGINT AS parts
FROM hourly
WHERE local_hour >= $since AND local_hour < $until AND first
  {at_policy}
GROUP BY ALL
ORDER BY ALL
