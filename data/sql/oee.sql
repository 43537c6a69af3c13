-- Overall equipment effectiveness of each line: availability (running of planned minutes) × performance (parts of those
-- that the running minutes had room for at the ideal rate) × quality (parts that passed, by themselves or by a person's
-- word, of all). Running: minutes in which a part was decided. Planned: from the first to the last part of each day,
-- unless hours are typed. The ideal rate is typed: an assumption.
WITH days AS (
    SELECT
        line_id, local_at::DATE AS day,
        count(DISTINCT date_trunc('minute', local_at)) AS running,
        date_diff('minute', min(local_at), max(local_at)) + 1 AS planned
    FROM decisions
    WHERE local_at >= $since AND local_at < $until AND line_id IS NOT NULL
      {at_policy}
    GROUP BY ALL
), truths AS (
    {last_answers}
), made AS (
    SELECT
        line_id, count(DISTINCT part_id) AS parts,
        count(DISTINCT CASE WHEN coalesce(t.verdict = 'PASS', outcome = 'PASS') THEN part_id END) AS good
    FROM decisions d LEFT JOIN truths t ON t.decision_id = d.id
    WHERE local_at >= $since AND local_at < $until AND line_id IS NOT NULL
      {at_policy}
    GROUP BY line_id
)
SELECT
    line_id, any_value(parts) AS parts, any_value(good) AS good, sum(running)::BIGINT AS running_minutes,
    sum(planned)::BIGINT AS planned_minutes, count(*) AS days
FROM days JOIN made USING (line_id)
GROUP BY line_id
ORDER BY line_id
