-- Tasks that were opened, by hour, day or week.
SELECT date_trunc($grain, local_at) AS bucket, count(*) AS opened
FROM tasks
WHERE local_at >= $since AND kind = 'triage'
  {at_place}
GROUP BY bucket
ORDER BY bucket
