-- Tasks that were answered, by hour, day or week; an answer that was taken back counts -1 at its own time.
SELECT date_trunc($grain, local_at) AS bucket, sum(sign)::BIGINT AS closed
FROM reviews
WHERE local_at >= $since AND kind = 'triage'
  {at_place}
GROUP BY bucket
ORDER BY bucket
