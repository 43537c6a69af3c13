-- Predictions counted by day and milliseconds: step s holds 1.03^s up to 1.03^(s+1).
SELECT
    date_trunc('day', local_at)::DATE AS local_day,
    site_id, line_id, camera_id, part_type_id, model,
    floor(ln(greatest(milliseconds, 0.01)) / ln(1.03))::INTEGER AS step,
    count(*) AS n
FROM source
GROUP BY ALL
