-- Parts of each hour in which a line decided any.
SELECT line_id, local_hour, sum(n)::BIGINT AS parts
FROM hourly
WHERE local_hour >= $since AND local_hour < $until AND first AND line_id IS NOT NULL
  {at_policy}
GROUP BY ALL
ORDER BY ALL
