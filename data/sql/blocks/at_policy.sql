{at_model}
AND ($policy IS NULL OR policy = $policy)
