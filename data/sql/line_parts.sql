-- Parts that were decided on each line.
SELECT site_id, line_id, sum(n)::BIGINT AS parts
FROM hourly
WHERE local_hour >= $since AND local_hour < $until AND first AND line_id IS NOT NULL
  {at_policy}
GROUP BY ALL
ORDER BY ALL
