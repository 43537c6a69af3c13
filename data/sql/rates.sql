-- What was decided against what people found. Misses, escapes and false rejects come from audits alone: parts that
-- chance picked, with a recorded probability, from what passed or failed by itself; each counts for as many as it was
-- picked out of. What was held counts by its answers. Overrides are not used: nobody looks at what passed unless it is
-- audited. Counted by the time of the decision; the last answer that stands counts; n is how many answers a rate rests
-- on. Escape rate: of what passed by itself, the defective share. Miss rate: of what is defective, the share that passed
-- by itself. False reject rate: of what is good, the share that failed by itself. Precision and recall are about what was
-- stopped, that is held or failed.
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
    CASE $by
        WHEN 'site' THEN site_id::VARCHAR
        WHEN 'line' THEN line_id::VARCHAR
        WHEN 'camera' THEN camera_id::VARCHAR
        WHEN 'part type' THEN part_type_id::VARCHAR
        WHEN 'model' THEN model
        WHEN 'policy' THEN site_id || ':' || policy
    END AS key,
    outcome,
    count(*) AS n,
    sum(weight) AS weight,
    sum(weight * weight) AS weight2,
    sum(CASE WHEN defective THEN weight ELSE 0 END) AS defective
FROM truths
GROUP BY ALL
ORDER BY ALL
