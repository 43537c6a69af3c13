-- Second looks by week: answers of a second person about a part, asked without sight of the first, and how many of them
-- say of it what the first one had said, defective or not. Answers of UNSURE, and those that were taken back, are not
-- counted.
WITH sure AS (
    SELECT * FROM reviews
    WHERE
      {stands_sure}
      AND local_at < $until
      {at_policy}
), firsts AS (
    SELECT part_id, arg_min(verdict <> 'PASS', id) AS defective, arg_min(person, id) AS person
    FROM sure
    WHERE kind <> 'second_look'
    GROUP BY part_id
)
SELECT
    date_trunc('week', sure.local_at) AS bucket,
    count(*) AS pairs,
    count(*) FILTER ((sure.verdict <> 'PASS') = firsts.defective) AS agree
FROM sure JOIN firsts ON firsts.part_id = sure.part_id AND firsts.person <> sure.person
WHERE sure.kind = 'second_look' AND sure.local_at >= $since
GROUP BY ALL
ORDER BY ALL
