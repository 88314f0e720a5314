"""The label that the enum gains, as psql and as `socialsync migrate` add it: no step may use it before its commit."""

import pytest

from migration import make_legacy

LABELS = "SELECT string_agg(enumlabel, ' ' ORDER BY enumsortorder) FROM pg_enum WHERE enumtypid = 'social_platform'::regtype"
OLD_LABELS = "facebook twitter instagram linkedin youtube tiktok whatsapp reddit x website"
USES = """
    CREATE INDEX business ON social_accounts (user_id) WHERE platform = 'whatsapp_business';
    ALTER TABLE social_accounts ADD CONSTRAINT business_has_name
      CHECK (platform <> 'whatsapp_business'::social_platform OR username <> '');
    CREATE FUNCTION business_accounts() RETURNS bigint LANGUAGE sql AS
      $$ SELECT count(*) FROM public.social_accounts WHERE platform = 'whatsapp_business' $$;
    CREATE VIEW business_names AS SELECT username FROM social_accounts WHERE platform = 'whatsapp_business'"""

pytestmark = pytest.mark.every_version


def by_psql(legacy):
    return legacy.update()


def by_program(legacy):
    return legacy.apply()


@pytest.fixture(params=[by_psql, by_program])
def apply(request):
    return request.param


@pytest.fixture
def legacy(cluster):
    return make_legacy(cluster)


def must(apply, legacy):
    done = apply(legacy)
    assert done.returncode in (0, 9), done.stdout + done.stderr
    assert "55P04" not in done.stdout + done.stderr


def test_the_label_comes_last_and_can_be_used_at_once(legacy, apply):
    must(apply, legacy)
    assert legacy.sql(LABELS) == OLD_LABELS + " whatsapp_business"
    legacy.sql(USES)
    legacy.sql("UPDATE social_accounts SET platform = 'whatsapp_business', phone_number_id = '1' WHERE platform = 'whatsapp'")
    assert legacy.sql("SELECT business_accounts()") == "1"
    assert legacy.sql("SELECT username FROM get_whatsapp_user_by_phone_number_id('1')") == "aline"


def test_an_existing_label_keeps_its_position_and_its_uses(legacy, apply):
    legacy.sql("ALTER TYPE social_platform ADD VALUE 'whatsapp_business' BEFORE 'reddit'")
    legacy.sql(USES)
    legacy.sql("UPDATE social_accounts SET platform = 'whatsapp_business' WHERE platform = 'whatsapp'")
    before = legacy.dump()
    must(apply, legacy)
    assert legacy.sql(LABELS) == OLD_LABELS.replace("reddit", "whatsapp_business reddit")
    assert legacy.sql("SELECT business_accounts(), count(*) FROM business_names GROUP BY 1") == "1|1"
    done = legacy.migrate("rollback", "--yes", "--no-export", "--rebuild-enum")
    assert done.returncode == 0, done.stderr
    assert legacy.dump() == before


def test_a_type_of_that_name_in_another_schema_is_unchanged(legacy, apply):
    legacy.sql("CREATE SCHEMA old; CREATE TYPE old.social_platform AS ENUM ('fax'); "
               f"ALTER DATABASE {legacy.name} SET search_path = old, public")
    must(apply, legacy)
    labels = LABELS.replace("'social_platform'", "'{}.social_platform'")
    assert legacy.sql(labels.format("old")) == "fax"
    assert legacy.sql(labels.format("public")) == OLD_LABELS + " whatsapp_business"


def test_a_type_in_another_schema_is_refused_with_the_remedy(legacy, apply):
    """Programs call functions whose arguments are of public.social_platform."""
    legacy.sql("CREATE SCHEMA types; ALTER TYPE social_platform SET SCHEMA types")
    before = legacy.dump()
    refused = apply(legacy)
    assert refused.returncode == (3 if apply is by_psql else 5)
    mend = "ALTER TYPE types.social_platform SET SCHEMA public"
    assert mend in refused.stderr
    assert legacy.dump() == before
    legacy.sql(mend)
    must(apply, legacy)
