function Get-StrongroomAgent {
    <#
    .SYNOPSIS
    The agent of this server: where it gives credentials, the storage gateway it names, and what was granted.
    Refuses where it is not installed, has not joined, does not run, or gives no credentials.
    .NOTES
    Reads what the agent keeps: agent.json (root's choices), state\granted.json (the last answer to a heartbeat).
    #>
    [CmdletBinding()]
    [OutputType([pscustomobject])]
    param()

    $state = Join-Path -Path $script:StateFolder -ChildPath 'state'
    $granted = Read-AgentFile -LiteralPath (Join-Path -Path $state -ChildPath 'granted.json')
    if ($null -eq $granted) {
        $who = Read-AgentFile -LiteralPath (Join-Path -Path $state -ChildPath 'identity.json')
        if ($null -eq $who) {
            throw (ConvertTo-DriveError -Id 'AgentMissing' -Category 'NotInstalled' -Message (
                    'This machine is not a server of a Strongroom space.') -WayOut (
                    'Run install.ps1 with a join command: whoever may add servers to the space makes one.'))
        }
        throw (ConvertTo-DriveError -Id 'AgentNotRunning' -Category 'ResourceUnavailable' -Message (
                'The Strongroom agent has never reached the control plane.') -WayOut (
                "Start it: Start-ScheduledTask -TaskName 'Strongroom agent'. Then ask it: strongroom status"))
    }
    $chosen = Read-AgentFile -LiteralPath (Join-Path -Path $script:StateFolder -ChildPath 'agent.json')
    $port = Select-Setting -InputObject $chosen -Name 'credentials_port' -Default 9911
    $endpoint = Select-Setting -InputObject $chosen -Name 'endpoint' -Default ''
    $agent = [pscustomobject] @{
        CredentialsUrl = "http://127.0.0.1:$port/credentials"
        TokenFile      = Join-Path -Path $state -ChildPath 'credentials-token'
        Endpoint       = if ($endpoint) { $endpoint } else { $granted.endpoint }
        Region         = $granted.region
        Datasets       = @($granted.datasets)
    }
    Assert-AgentAnswering -Agent $agent
    $agent
}
