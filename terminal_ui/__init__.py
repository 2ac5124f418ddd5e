"""The face: draws what the session reports and passes on what the player asks; decides nothing."""
