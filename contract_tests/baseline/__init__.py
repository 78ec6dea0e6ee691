"""What a target answered once, to notice when it answers otherwise: recorded, compared, accepted."""
