-- Parts held when they were first decided, as a share of all; and of the held ones that were answered, how many hours
-- they had waited for their last answer that stands: half of them no longer than wait_p50, 95 in 100 no longer than
-- wait_p95. Counted by the time of the decision.
WITH answered AS (
    SELECT
        task_id,
        arg_max(at_utc, id) AS answered_at,
        any_value(asked_at) AS asked_at,
        any_value(decided_local) AS decided_local,
        any_value(site_id) AS site_id, any_value(line_id) AS line_id, any_value(camera_id) AS camera_id,
        any_value(part_type_id) AS part_type_id, any_value(model) AS model, any_value(policy) AS policy
    FROM reviews
    WHERE sign > 0 AND kind = 'triage' AND outcome = 'HOLD'
      AND decided_local >= $since AND decided_local < $until
      AND review_id NOT IN (SELECT review_id FROM reviews WHERE sign < 0)
      AND ($line IS NULL OR line_id = $line)
      AND ($camera IS NULL OR camera_id = $camera)
      AND ($part_type IS NULL OR part_type_id = $part_type)
      AND ($model IS NULL OR model = $model)
      AND ($policy IS NULL OR policy = $policy)
    GROUP BY task_id
)
SELECT
    date_trunc($grain, decided_local) AS bucket,
    CASE $by
        WHEN 'site' THEN site_id::VARCHAR
        WHEN 'line' THEN line_id::VARCHAR
        WHEN 'camera' THEN camera_id::VARCHAR
        WHEN 'part type' THEN part_type_id::VARCHAR
        WHEN 'model' THEN model
        WHEN 'policy' THEN site_id || ':' || policy
    END AS key,
    count(*) AS answered,
    quantile_disc(epoch(answered_at - asked_at), 0.50) / 3600 AS wait_p50,
    quantile_disc(epoch(answered_at - asked_at), 0.95) / 3600 AS wait_p95
FROM answered
GROUP BY ALL
ORDER BY ALL
