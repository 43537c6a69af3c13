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
    WHERE
      {stands}
      AND kind = 'triage' AND outcome = 'HOLD'
      AND decided_local >= $since AND decided_local < $until
      {at_policy}
    GROUP BY task_id
)
SELECT
    date_trunc($grain, decided_local) AS bucket,
    {by_policy} AS key,
    count(*) AS answered,
    quantile_disc(epoch(answered_at - asked_at), 0.50) / 3600 AS wait_p50,
    quantile_disc(epoch(answered_at - asked_at), 0.95) / 3600 AS wait_p95
FROM answered
GROUP BY ALL
ORDER BY ALL
