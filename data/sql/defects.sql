-- Defects found on each line, by class: what the inspector named where somebody looked, else what the model named on a
-- part that it failed. A part counts once, by the time of its decision. A class stands out on a line when it is more
-- frequent there than on the other lines of the same site, by Fisher's exact test; of all that are marked, at most one in
-- ten is expected to be chance (Benjamini and Hochberg).
WITH standing AS (
    SELECT * FROM reviews
    WHERE sign > 0 AND verdict <> 'UNSURE' AND kind <> 'gold'
      AND decided_local >= $since AND decided_local < $until
      AND review_id NOT IN (SELECT review_id FROM reviews WHERE sign < 0)
), truths AS (
    SELECT decision_id, arg_max(verdict IN ('FAIL', 'REWORK'), id) AS defective, arg_max(class, id) AS class
    FROM standing
    GROUP BY decision_id
)
SELECT
    site_id, line_id,
    coalesce(t.class, d.model_class, 'not named') AS class,
    count(DISTINCT d.part_id) AS parts
FROM decisions d LEFT JOIN truths t ON t.decision_id = d.id
WHERE coalesce(t.defective, d.outcome = 'FAIL') AND line_id IS NOT NULL
  AND local_at >= $since AND local_at < $until
  AND ($line IS NULL OR line_id = $line)
  AND ($camera IS NULL OR camera_id = $camera)
  AND ($part_type IS NULL OR part_type_id = $part_type)
  AND ($model IS NULL OR model = $model)
  AND ($policy IS NULL OR policy = $policy)
GROUP BY ALL
ORDER BY ALL
