{stands}
AND verdict <> 'UNSURE' AND kind <> 'gold'
