"""Settings of a throw-away Superset that only this machine reaches."""
import os

SECRET_KEY = os.environ["GROVE_SUPERSET_KEY"]
SQLALCHEMY_DATABASE_URI = "sqlite:///" + os.path.join(os.environ["SUPERSET_HOME"], "superset.db")
WTF_CSRF_ENABLED = False
TALISMAN_ENABLED = False
RATELIMIT_ENABLED = False
