standing AS (
    SELECT * FROM reviews
    WHERE
      {stands_sure}
      AND (outcome = 'HOLD' OR (audited AND audit_share > 0))
      AND decided_local >= $since AND decided_local < $until
      {at_policy}
), truths AS (
    SELECT
        decision_id,
        arg_max(verdict IN ('FAIL', 'REWORK'), id) AS defective,
        arg_max(class, id) AS class,
        any_value(outcome) AS outcome,
        any_value(CASE WHEN outcome = 'HOLD' THEN 1 ELSE 1 / audit_share END) AS weight,
        any_value(decided_local) AS decided_local,
        any_value(model_class) AS model_class,
        any_value(site_id) AS site_id, any_value(line_id) AS line_id, any_value(camera_id) AS camera_id,
        any_value(part_type_id) AS part_type_id, any_value(model) AS model, any_value(policy) AS policy
    FROM standing
    GROUP BY decision_id
)
