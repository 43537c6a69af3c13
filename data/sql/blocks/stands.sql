sign > 0 AND review_id NOT IN (SELECT review_id FROM reviews WHERE sign < 0)
