-- How sure the model was of its own answer about a picture: the score, or what is missing to 1 where the score is under
-- one half; so from .50 to 1, in steps of .05, with the mean of all.
WITH counted AS (
    SELECT
        date_trunc($grain, local_day) AS bucket,
        least(hundredth - hundredth % 5, 95) / 100 AS confidence,
        sum(n)::BIGINT AS pictures,
        sum(millionths)::BIGINT AS millionths
    FROM confidence
    WHERE local_day >= $since AND local_day < $until
      {at_model}
    GROUP BY ALL
)
SELECT
    bucket, confidence, pictures,
    pictures / sum(pictures) OVER (PARTITION BY bucket) AS share,
    sum(millionths) OVER (PARTITION BY bucket) / 1000000 / sum(pictures) OVER (PARTITION BY bucket) AS mean,
    (sum(pictures) OVER (PARTITION BY bucket))::BIGINT AS n
FROM counted
ORDER BY bucket, confidence
