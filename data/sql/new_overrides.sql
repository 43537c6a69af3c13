-- Parts whose last answer goes against the model, a while after it was given, because answers are taken back; with what
-- follows from it: a case where the model had passed what is defective, labelling where both call it defective and name
-- different classes.
WITH standing AS (
    SELECT * FROM reviews
    WHERE
      {stands_sure}
      AND local_at >= $from AND at_utc < $to
), told AS (
    SELECT
        part_id, id,
        outcome = 'FAIL' OR (outcome = 'HOLD' AND score >= 0.5) AS model_defective,
        verdict IN ('FAIL', 'REWORK') AS inspector_defective,
        model_class, class, score, outcome
    FROM standing
    QUALIFY row_number() OVER (PARTITION BY part_id ORDER BY id DESC) = 1
)
SELECT part_id, id, CASE WHEN model_defective THEN 'labelling' ELSE 'case' END AS action
FROM told
WHERE inspector_defective
  AND ((NOT model_defective AND (outcome = 'PASS' OR score < 0.5)) OR (model_defective AND model_class <> class))
ORDER BY id DESC
LIMIT $most
