-- The same by class. Of what passed, the class is the one that the inspector named; of what was stopped, precision and
-- false rejects go by the class that the model named, misses by the inspector's.
WITH taken_back AS (
    SELECT review_id FROM reviews WHERE sign < 0
), standing AS (
    SELECT * FROM reviews
    WHERE sign > 0 AND verdict <> 'UNSURE' AND kind <> 'gold'
      AND (outcome = 'HOLD' OR (audited AND audit_share > 0))
      AND decided_local >= $since AND decided_local < $until
      AND ($line IS NULL OR line_id = $line)
      AND ($camera IS NULL OR camera_id = $camera)
      AND ($part_type IS NULL OR part_type_id = $part_type)
      AND ($model IS NULL OR model = $model)
      AND ($policy IS NULL OR policy = $policy)
      AND review_id NOT IN (SELECT review_id FROM taken_back)
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
SELECT
    date_trunc($grain, decided_local) AS bucket,
    outcome,
    site_id,
    CASE WHEN defective THEN class END AS class,
    CASE WHEN outcome <> 'PASS' THEN model_class END AS model_class,
    defective,
    count(*) AS n,
    sum(weight) AS weight,
    sum(weight * weight) AS weight2
FROM truths
GROUP BY ALL
ORDER BY ALL
