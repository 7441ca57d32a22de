"""The customers and alerts that the tests of pages are about."""

from datetime import datetime, timedelta, timezone

CUSTOMERS = [
    {"id": "4a8f2d61-5b0e-4c39-9d7a-7e2c1f60b8d3", "companyName": "Northwind Traders", "subscriptions": {"6c2e9a47-0d3b-4f58-b1e6-92a7c4d0f381": "Northwind production"}},
    {"id": "4a8f2d62-5b0e-4c39-9d7a-7e2c1f60b8d3", "companyName": "Adatum", "subscriptions": {"6c2e9a48-0d3b-4f58-b1e6-92a7c4d0f381": "Adatum research"}},
    {"id": "4a8f2d63-5b0e-4c39-9d7a-7e2c1f60b8d3", "companyName": "<img src=x onerror=alert(1)> & Söhne", "subscriptions": {"6c2e9a49-0d3b-4f58-b1e6-92a7c4d0f381": "=1+1"}},
]


def alerts():
    """Alerts of all of them: some late, some not, one answered, one simulated."""
    now = datetime.now(timezone.utc)

    def alert(number, customer, name, minutes, **more):
        of = CUSTOMERS[customer]
        at = (now - timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%SZ")
        return {
            "id": f"scene-{number}",
            "displayName": name,
            "customerTenantId": of["id"],
            "subscriptionId": next(iter(of["subscriptions"])),
            "detectedDateTime": at,
            "firstObservedDateTime": at,
            "lastObservedDateTime": at,
            **more,
        }

    return [
        alert(1, 0, "Connections to known mining pools", 5, additionalDetails={"poolDomain": "pool.example", "connectionCount": "42"}),
        alert(2, 0, "Anomalous compute usage", 50, severity="medium", alertType="UsageAnomalyDetectionCompute"),
        alert(3, 1, "Many virtual machines in new regions", 400, severity="high"),
        alert(4, 1, "Unusual spending", 90, severity="low"),
        alert(5, 2, "<script>alert(1)</script>", 20, severity="medium", description="<b>Look</b> at it"),
        alert(6, 1, "A simulated alert", 10, severity="informational", isTest=True),
        alert(7, 0, "Answered long ago", 3_000, status="resolved", resolvedReason="fraud", resolvedOnDateTime=(now - timedelta(minutes=2_970)).strftime("%Y-%m-%dT%H:%M:%SZ")),
    ]
