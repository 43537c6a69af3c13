CASE
    WHEN outcome = 'FAIL' OR (outcome = 'HOLD' AND score >= 0.5) THEN coalesce(model_class, 'FAIL')
    WHEN outcome = 'PASS' OR (outcome = 'HOLD' AND score < 0.5) THEN 'PASS'
END AS model_said,
CASE
    WHEN verdict IN ('FAIL', 'REWORK') THEN coalesce(class, 'FAIL')
    WHEN verdict = 'PASS' THEN 'PASS'
END AS inspector_said
