-- Answers of each week, overrides or not.
SELECT date_trunc('week', local_day)::DATE AS week, sum(n)::BIGINT AS answers
FROM answers
WHERE local_day >= $since AND local_day < $until
  AND model_said IS NOT NULL AND inspector_said IS NOT NULL
  {at_policy}
GROUP BY week
ORDER BY week
