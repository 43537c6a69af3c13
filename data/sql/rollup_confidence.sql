-- Predictions counted by day and confidence: the score or, under one half, what is missing to 1; in hundredths.
SELECT
    date_trunc('day', local_at)::DATE AS local_day,
    site_id, line_id, camera_id, part_type_id, model,
    least(floor(greatest(score, 1 - score) * 100), 99)::INTEGER AS hundredth,
    count(*) AS n,
    sum(round(greatest(score, 1 - score) * 1000000)::BIGINT)::BIGINT AS millionths
FROM source
WHERE score IS NOT NULL
GROUP BY ALL
