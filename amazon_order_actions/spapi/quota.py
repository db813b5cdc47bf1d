"""What the strict layer asks before, and tells after, every request to SP-API.

Amazon keeps one token bucket for each pair of application and selling partner and for
each operation ("Usage plans and rate limits in the SP-API"). Whoever shares it among
several workers gives `SellerClient` an object with the methods of `NoQuota`.
"""


class NoQuota:
    """Lets everything pass and remembers nothing.

    Only `take` may stop a request: what it raises passes through unchanged, and then
    nothing was sent. What `learn` and `exhausted` raise is logged and forgotten: when
    they are called Amazon has answered, and the answer must not get lost.
    """

    def take(self, operation):
        """Take a token for one request that is about to leave.

        :param Operation operation: its row in `operations`
        :return: 0.0 when a token was taken; otherwise the seconds until there is one,
            and the request is not sent
        :rtype: float
        """
        return 0.0

    def learn(self, operation, rate):
        """Note the rate that Amazon told (``x-amzn-RateLimit-Limit``).

        :param Operation operation: its row in `operations`
        :param float rate: requests per second
        """

    def exhausted(self, operation, wait):
        """Note that Amazon answered 429: its bucket is emptier than ours.

        :param Operation operation: its row in `operations`
        :param float wait: seconds until Amazon has one token again, by its rate
        """
