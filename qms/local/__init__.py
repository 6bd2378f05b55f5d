"""What runs the product on one machine with nothing installed: servers from wheels, demo, assets.

Nothing in here is used in production, and nothing in here needs Django to be set up.
"""
