function Get-StrongroomAgent {
    <#
    .SYNOPSIS
    What the agent on this server says: where credentials are asked for, the storage gateway, and what was granted.
    .NOTES
    Placeholder shape until the agent stands.
    #>
    [CmdletBinding()]
    [OutputType([pscustomobject])]
    param()

    $file = Join-Path -Path $script:StateFolder -ChildPath 'agent.json'
}
