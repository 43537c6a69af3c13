-- How many parts were decided and how, those that were stopped by the class that the model named.
SELECT
    date_trunc($grain, local_at) AS bucket,
    outcome,
    site_id,
    CASE WHEN outcome <> 'PASS' THEN model_class END AS model_class,
    count(*) AS decided
FROM decisions
WHERE local_at >= $since AND local_at < $until
  {at_policy}
GROUP BY ALL
ORDER BY ALL
