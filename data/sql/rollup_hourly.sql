-- Decisions counted by hour on the site's own clock.
SELECT
    date_trunc('hour', local_at) AS local_hour,
    site_id, line_id, camera_id, part_type_id, model, policy,
    outcome,
    number = 1 AS first,
    count(*) AS n
FROM source
GROUP BY ALL
