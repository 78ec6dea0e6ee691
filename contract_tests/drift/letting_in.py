"""One login for a whole trial: what is tried is played one by one, and nobody logs in so often."""

from dataclasses import replace
from random import Random

from ..login.agent import Agent
from ..login.signing_in import Login, NoGrant
from ..play import Options
from ..replay.survey import Surveyor
from ..replay.territory import Territory
from ..replay.wire import Wire
from ..target.target import Target


async def let_in(target: Target, options: Options) -> Options:
    """The options with a token that was just issued, where nobody comes in without one and a login needs no person.

    Raises:
        TargetUnreachable: nothing answers at the target's address.
    """
    if any(name.lower() == "authorization" for name, _ in options.headers):
        return options
    async with Wire() as wire:
        catalogue = await Surveyor(wire=wire, url=target.url, headers=options.headers).survey(options.examples)
        if not catalogue.is_locked:
            return options
        territory = Territory(url=target.url, public_origin=catalogue.public_origin, follow=options.follow)
        login = Login(
            agent=Agent(wire=wire, territory=territory),
            url=target.url,
            random=Random("drift"),  # noqa: S311 - identifiers for a trial, repeatable by design
            client=options.client,
            tokens=options.tokens,
            documents=None,
        )
        try:
            grant = await login.sign_in()
        except NoGrant:
            return options  # each trial then says why it was not made
    return replace(options, headers=(*options.headers, ("Authorization", f"Bearer {grant.access_token}")))
