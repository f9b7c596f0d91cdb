function Assert-AgentAnswering {
    <#
    .SYNOPSIS
    Refuses unless the agent gives credentials now, with the agent's own words where it refuses.
    #>
    [CmdletBinding()]
    param(
        [Parameter(Mandatory = $true)]
        [pscustomobject] $Agent
    )

    $start = "Start it: Start-ScheduledTask -TaskName 'Strongroom agent'. Then ask it: strongroom status"
    if (-not (Test-Path -LiteralPath $Agent.TokenFile)) {
        throw (ConvertTo-DriveError -Id 'AgentNotRunning' -Category 'ResourceUnavailable' -Message (
                'The Strongroom agent of this server has not run yet.') -WayOut $start)
    }
    $token = [System.IO.File]::ReadAllText($Agent.TokenFile).Trim()
    try {
        $null = Invoke-WebRequest -Uri $Agent.CredentialsUrl -Headers @{ Authorization = $token } -UseBasicParsing `
            -TimeoutSec 30
    }
    catch {
        $response = Select-Setting -InputObject $_.Exception -Name 'Response' -Default $null
        if ($null -eq $response) {
            throw (ConvertTo-DriveError -Id 'AgentNotRunning' -Category 'ResourceUnavailable' -Message (
                    "The Strongroom agent of this server does not answer at $($Agent.CredentialsUrl).") -WayOut $start)
        }
        throw (ConvertTo-DriveError -Id 'CredentialsMissing' -Category 'PermissionDenied' -Message (
                "The Strongroom agent gives no credentials now ($([int] $response.StatusCode)).") -WayOut (
                'Ask it why: run "strongroom status" in an elevated terminal. A server that is disabled, has ' +
                'lapsed or was deleted gets none.'))
    }
}
